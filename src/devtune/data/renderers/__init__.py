"""Conversations → token ids and the loss mask, by the renderer the server uses."""
