"""Who is connected, who controls, who views, and what they say. Nothing here knows an HTTP framework."""
