"""Keystroke replay: the real server, typed into in real time by somebody who knows what comes next."""
