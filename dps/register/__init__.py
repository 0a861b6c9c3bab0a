"""Who may supply, where: providers, applications, membership, documents, capacity and take limits."""
