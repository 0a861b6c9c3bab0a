"""The pages: sign-in, the portal, the desk."""
