//! The agent engine: everything a person's device does, sans-I/O core and thin driver.
