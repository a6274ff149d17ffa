"""Audio of a call: playing the prompt, hearing tones."""
