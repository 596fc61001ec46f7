"""One suite for both proxy servers."""
