//! The provider engine: blind rows, threshold evaluation, sealed generations; core and thin driver.
