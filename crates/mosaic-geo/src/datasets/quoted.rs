use super::ImportProblem;

/// The columns of one line of RFC 4180: separated by commas, some in double quotes. A record never spans lines here.
pub(super) fn columns(line: &str) -> Result<Vec<String>, ImportProblem> {
    let (mut columns, mut rest) = (Vec::new(), line);
    loop {
        let (column, after) = match rest.strip_prefix('"') {
            Some(quoted) => until_quote(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let (plain, after) = rest.split_at(end);
                if plain.contains('"') {
                    return Err(ImportProblem::Quote);
                }
                (plain.to_owned(), after)
            }
        };
        columns.push(column);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(columns),
            None => return Err(ImportProblem::Quote),
        }
    }
}

/// What stands before the closing quote, and what comes after it; two quotes stand for one.
fn until_quote(text: &str) -> Result<(String, &str), ImportProblem> {
    let (mut column, mut rest) = (String::new(), text);
    loop {
        let (part, after) = rest.split_once('"').ok_or(ImportProblem::Quote)?;
        column.push_str(part);
        match after.strip_prefix('"') {
            Some(next) => {
                column.push('"');
                rest = next;
            }
            None => return Ok((column, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_commas() {
        let read = |line: &str| columns(line).map(|columns| columns.join("|"));
        assert_eq!(read("a,,\"b,c\",\"say \"\"d\"\"\",").unwrap(), "a||b,c|say \"d\"|");
        for wrong in ["\"open", "a\"b", "\"a\"b,c"] {
            assert_eq!(read(wrong), Err(ImportProblem::Quote), "{wrong}");
        }
    }
}
