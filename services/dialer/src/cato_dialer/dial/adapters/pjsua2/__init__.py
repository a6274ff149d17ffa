"""The trunk on PJSIP: worker processes that own the library, and their supervisor."""
