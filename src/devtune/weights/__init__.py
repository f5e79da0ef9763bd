"""Weights on disk: published checkpoints in, merged and exported checkpoints out."""
