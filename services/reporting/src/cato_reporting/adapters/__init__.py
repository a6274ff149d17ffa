"""The log and the read model, as the ports want them."""
