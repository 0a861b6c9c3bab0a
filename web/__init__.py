"""The edges: browser, JSON API, command line and worker, and where everything is put together."""
