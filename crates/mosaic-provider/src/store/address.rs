use std::{fmt, path::Path, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{LogStore, Store, StoreError, TableCredentials, TableOptions, TableStore, TableView};

/// Which engine keeps a provider's store, and where.
///
/// As text: `log`, or `dynamodb://REGION/TABLE`, which `?endpoint=URL` sends to another server of that API. Nothing
/// secret has a place in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum StoreAddress {
    /// The log in the provider's folder.
    #[default]
    Log,
    /// A table behind the DynamoDB API.
    Dynamo(TableAddress),
}

/// A table behind the DynamoDB API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableAddress {
    /// The region's name, as `eu-west-1`; part of every signature.
    pub region: String,
    /// The table's name, 3 to 255 characters.
    pub table: String,
    /// The server, when it is not the region's own.
    pub endpoint: Option<String>,
}

/// Text that is no [`StoreAddress`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a store is `log` or `dynamodb://REGION/TABLE`, with `?endpoint=URL` for another server")]
pub struct InvalidStoreAddress;

impl StoreAddress {
    /// Opens the store of the provider in `folder` whose signing key is `owner`. `expire` lets a service remove what
    /// should be long gone; only with a clock that shows the world's time.
    ///
    /// # Errors
    /// As [`LogStore::open`] and [`TableStore::open`]; [`StoreError::Table`] without credentials in the environment.
    pub fn open(&self, folder: &Path, owner: &[u8; 32], expire: bool) -> Result<Box<dyn Store + Send>, StoreError> {
        Ok(match self {
            Self::Log => Box::new(LogStore::open(folder)?),
            Self::Dynamo(table) => {
                let credentials = table.credentials()?;
                let options = TableOptions { expire, ..TableOptions::default() };
                Box::new(TableStore::open(folder, table, owner, credentials, options)?)
            }
        })
    }

    /// Looks at the store of the provider in `folder` whose signing key is `owner`, while another process writes; `None`
    /// for a store that only its writer sees.
    ///
    /// # Errors
    /// As [`TableView::open`]; [`StoreError::Table`] without credentials in the environment.
    pub async fn view(&self, folder: &Path, owner: &[u8; 32]) -> Result<Option<TableView>, StoreError> {
        match self {
            Self::Log => Ok(None),
            Self::Dynamo(table) => TableView::open(folder, table, owner, table.credentials()?).await.map(Some),
        }
    }
}

impl TableAddress {
    fn credentials(&self) -> Result<TableCredentials, StoreError> {
        TableCredentials::from_environment().ok_or_else(|| StoreError::Table {
            table: self.to_string(),
            what: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SHARED_CREDENTIALS_FILE",
            source: None,
        })
    }

    /// Where requests go.
    pub fn url(&self) -> String {
        self.endpoint.clone().unwrap_or_else(|| format!("https://dynamodb.{}.amazonaws.com/", self.region))
    }
}

impl fmt::Display for TableAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dynamodb://{}/{}", self.region, self.table)?;
        self.endpoint.iter().try_for_each(|endpoint| write!(f, "?endpoint={endpoint}"))
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log => f.write_str("log"),
            Self::Dynamo(table) => table.fmt(f),
        }
    }
}

impl FromStr for StoreAddress {
    type Err = InvalidStoreAddress;

    fn from_str(text: &str) -> Result<Self, InvalidStoreAddress> {
        match text {
            "log" => Ok(Self::Log),
            other => table(other).map(Self::Dynamo).ok_or(InvalidStoreAddress),
        }
    }
}

fn table(text: &str) -> Option<TableAddress> {
    let rest = text.strip_prefix("dynamodb://")?;
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let (region, table) = place.split_once('/')?;
    let endpoint = query.map(|query| query.strip_prefix("endpoint=").ok_or(())).transpose().ok()?;
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let good = (1..=64).contains(&region.len())
        && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && (3..=255).contains(&table.len())
        && table.bytes().all(named)
        // an address with a name, a password or a query of its own would carry secrets into files and logs
        && endpoint.is_none_or(|url| !url.is_empty() && !url.contains(['@', '?', '#', ' ']));
    let [region, table] = [region, table].map(str::to_owned);
    good.then(|| TableAddress { region, table, endpoint: endpoint.map(str::to_owned) })
}

impl TryFrom<String> for StoreAddress {
    type Error = InvalidStoreAddress;

    fn try_from(text: String) -> Result<Self, InvalidStoreAddress> {
        text.parse()
    }
}

impl From<StoreAddress> for String {
    fn from(address: StoreAddress) -> Self {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        let texts = ["log", "dynamodb://eu-west-1/mosaic", "dynamodb://x/mosaic-1.a_b?endpoint=http://127.0.0.1:8000"];
        for text in texts {
            assert_eq!(text.parse::<StoreAddress>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_could_hold_a_secret_is_no_address() {
        let texts = [
            "",
            "LOG",
            "memory",
            "dynamodb://",
            "dynamodb:///table",
            "dynamodb://eu-west-1/ab",
            "dynamodb://key:secret@eu-west-1/table",
            "dynamodb://eu-west-1/table/more",
            "dynamodb://eu-west-1/table?secret=x",
            "dynamodb://eu-west-1/table?endpoint=",
            "dynamodb://eu-west-1/table?endpoint=https://a:b@host",
            "dynamodb://eu-west-1/table?endpoint=https://host?x=y",
        ];
        for text in texts {
            assert_eq!(text.parse::<StoreAddress>(), Err(InvalidStoreAddress), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(dynamodb://)?\\PC{0,40}") {
            if let Ok(address) = text.parse::<StoreAddress>() {
                prop_assert_eq!(address.to_string(), text);
            }
        }
    }
}
