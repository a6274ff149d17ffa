"""The rules for prompts: names, what counts as sound, how it is stored; no input or output."""
