"""The rules by which a number may be called, as clients write them."""
