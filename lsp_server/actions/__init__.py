"""What a user asks for by hand: explain, fix, document. Leaves the wire to the handlers."""
