"""Parts that learners are made of: exploration, step sizes, functions, replay."""
