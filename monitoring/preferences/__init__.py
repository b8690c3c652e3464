"""The Settings page: what a person may set of the configuration, section by section."""
