"""Parts that learners are made of: exploration, step sizes, functions, replay; imagined steps, impact, age."""
