//! What a reader looks for and finds: reading plans, cards, waves, tokens, associations.
