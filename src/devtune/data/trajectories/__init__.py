"""Sessions of agents become conversations: selected, repaired, and masked step by step."""
