"""What a briefing says: its data, its sentences, its lessons."""
