"""Characters: from any file to text, from text to ids, from ids to windows, and back to text that is safe to show.

Knows files and Unicode; knows nothing of models and screens. `reader` and `library` give a `Document`, `vocabulary`
turns its text into an array of ids, `stream` cuts the array into windows, `display` makes any string harmless.
"""
