"""The configuration file, the settings from the environment, and their reference."""
