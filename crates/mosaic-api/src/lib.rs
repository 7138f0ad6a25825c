//! The local HTTP contract: requests, replies, problem types, OpenAPI.
