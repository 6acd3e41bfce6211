"""Where the corpus comes from: pinned packages, their downloads and their licences."""
