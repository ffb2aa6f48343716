"""The decks of the seminar: Markdown for Marp, with notes for the teacher, and figures that the library draws."""
