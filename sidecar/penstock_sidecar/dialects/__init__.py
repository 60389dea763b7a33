"""What callers and providers speak: each dialect is read into common words, and written from them.

    request of the caller   -> Prompt -> request of the provider
    answer of the provider  -> events -> answer to the caller

Where both speak the same dialect, bytes pass through untouched and are only read along.
"""
