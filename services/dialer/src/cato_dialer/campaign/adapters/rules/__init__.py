"""The rules by which numbers may be called, and the SIP traces, in their key-value buckets."""
