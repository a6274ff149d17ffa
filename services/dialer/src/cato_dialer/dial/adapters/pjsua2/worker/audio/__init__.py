"""The audio of a call: play the prompt, recognise key tones."""
