use std::fmt;

/// A value that must never be printed, logged or encoded: a true place, a true word, a contact.
///
/// `Debug` and `Display` print `[hidden]`, there is deliberately no serde implementation, and the
/// value comes out only through [`Sensitive::expose`], which is easy to search for. (The `safelog`
/// crate offers a similar wrapper with a process-wide switch that turns hiding off; this one has no
/// switch.)
#[derive(Clone, PartialEq, Eq)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// Wraps a value on entry.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Lends the value to `use_it` and returns what that computed.
    pub fn expose<R>(&self, use_it: impl FnOnce(&T) -> R) -> R {
        use_it(&self.0)
    }

    /// Gives the value up; the caller takes over the duty to keep it unseen.
    pub fn into_exposed(self) -> T {
        self.0
    }

    /// Transforms the value without ever leaving the wrapper.
    pub fn map<R>(self, change: impl FnOnce(T) -> R) -> Sensitive<R> {
        Sensitive(change(self.0))
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl<T> fmt::Display for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl<T> From<T> for Sensitive<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_value_is_printed() {
        let secret = Sensitive::new("41.1579,-8.6291");
        assert_eq!(format!("{secret:?} {secret}"), "[hidden] [hidden]");
    }
}
