"""The event stream folded into live reports and a call history."""
