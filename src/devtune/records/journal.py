"""Lines of a journal of `devtune record`: what an agent sent to a model, and what came back.

The first line is {"format", "journal", "at"}; each other has an `event` and the `id` of its
exchange. A line that was torn by a crash can only be the last.
"""

FORMAT = "devtune-record-1"
REQUEST = "request"
"""Event with `at`, `path` (no query, which may hold a key) and `body`, the text as it was sent."""
RESPONSE = "response"
"""Event with `at`, `status`, `body`, the text as it was received, and `is_complete`."""
NOTE = "note"
"""Event with `at` and `note`: why an exchange has no text, or no answer."""
