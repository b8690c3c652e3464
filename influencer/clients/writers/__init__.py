"""Writers of captions and prompts: Gemini by two SDKs, and templates without any AI."""
