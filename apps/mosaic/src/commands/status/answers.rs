use mosaic_api::AnswersView;
use mosaic_types::Reporting;

/// Whether answers are given, and what those of thirty days have cost.
pub(super) fn sentences(answers: &AnswersView) -> Vec<String> {
    let AnswersView { aggregate, days, epsilon_a_day, loss_a_day, epsilon_used, epsilon_total } = answers;
    let given = match aggregate {
        Reporting::Off => "None is given (mosaic config set aggregate on).".to_owned(),
        Reporting::On => "One is given about each day, on the day after it.".to_owned(),
    };
    let answered = if *days == 1 { "1 answer".to_owned() } else { format!("{days} answers") };
    vec![
        given,
        format!(
            "{answered} in 30 days: \u{3b5} = {epsilon_used:.2} of {epsilon_total:.2}, each by itself {epsilon_a_day:.2}; to the \
             two who count it together, odds of {:.0} to 1 at most for each.",
            loss_a_day.exp()
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_cost_is_said() {
        let view = AnswersView {
            aggregate: Reporting::On,
            days: 3,
            epsilon_a_day: 1.0,
            loss_a_day: 4.0,
            epsilon_used: 3.0,
            epsilon_total: 10.0,
        };
        let said = sentences(&view);
        assert!(
            said[1].starts_with("3 answers in 30 days: \u{3b5} = 3.00 of 10.00") && said[1].contains("55 to 1"),
            "{said:?}"
        );
        let off = sentences(&AnswersView { aggregate: Reporting::Off, days: 1, ..view });
        assert!(off[0].starts_with("None") && off[1].starts_with("1 answer in"), "{off:?}");
    }
}
