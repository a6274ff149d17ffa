"""NATS JetStream: jobs, the journal of calls, leases of channels."""
