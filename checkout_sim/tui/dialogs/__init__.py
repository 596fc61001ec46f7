"""The dialogs: what asks for one more key or one more line, above a view that stays alive."""
