"""The user's own program: started, kept, talked to, and ended; nothing here loads a framework."""
