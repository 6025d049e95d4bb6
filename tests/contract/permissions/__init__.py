"""Who may do what: one table written by hand, and every cell of it asked over HTTP."""
