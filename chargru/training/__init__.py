"""The training loop: `open_session(request).run()` yields events; nothing here knows a screen."""
