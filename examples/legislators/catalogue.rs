//! The demo catalogue as text: what stands in `base.toml`, and a department for each chamber and
//! each committee.

use crate::source::Committee;

const BASE: &str = include_str!("base.toml");

/// The body a committee belongs to, told by the first letter of its id.
struct Body {
    initial: char,
    setting: &'static str,
    description: &'static str,
}

const BODIES: [Body; 3] = [
    Body { initial: 'H', setting: "house", description: "Committee of the House" },
    Body { initial: 'S', setting: "senate", description: "Committee of the Senate" },
    Body { initial: 'J', setting: "joint", description: "Joint committee of both chambers" },
];

pub fn catalogue(committees: &[Committee]) -> anyhow::Result<String> {
    let mut text = BASE.to_owned();
    text.push_str("\n# The chambers.\n");
    text.push_str(&department("house", "House of Representatives", "The lower chamber", "house"));
    text.push_str(&department("senate", "Senate", "The upper chamber", "senate"));
    text.push_str("\n# The committees.\n");
    for committee in committees {
        let body = BODIES.iter().find(|body| committee.id.starts_with(body.initial));
        let body = body.ok_or_else(|| {
            anyhow::anyhow!("committee {} belongs to no body known here", committee.id)
        })?;
        let key = committee.id.to_lowercase();
        text.push_str(&department(&key, &committee.name, body.description, body.setting));
    }
    Ok(text)
}

fn department(key: &str, name: &str, description: &str, setting: &str) -> String {
    let [key, name, description, setting] =
        [key, name, description, setting].map(|text| toml::Value::from(text).to_string());
    format!(
        "\n[[tenants.departments]]\nkey = {key}\nname = {name}\ndescription = {description}\n\
         settings = [{setting}]\n"
    )
}

#[cfg(test)]
mod tests {
    use dossier::catalogue_file::parse;

    use super::*;

    fn committee(id: &str, name: &str) -> Committee {
        Committee { id: id.to_owned(), name: name.to_owned() }
    }

    #[test]
    fn a_committee_is_a_department_that_looks_like_its_chamber() {
        let text = catalogue(&[committee("SSFI", "Finance \"2\""), committee("JSTX", "Taxation")]);
        let file = parse(&text.unwrap()).unwrap();
        let departments: Vec<[&str; 3]> = file.tenants[0]
            .departments
            .iter()
            .map(|department| {
                [&department.key, &department.name, &department.settings[0]]
                    .map(|text| text.as_ref().as_str())
            })
            .collect();
        assert_eq!(
            departments,
            [
                ["house", "House of Representatives", "house"],
                ["senate", "Senate", "senate"],
                ["ssfi", "Finance \"2\"", "senate"],
                ["jstx", "Taxation", "joint"],
            ]
        );
    }

    #[test]
    fn a_committee_of_no_known_body_is_refused() {
        assert!(catalogue(&[committee("XXAG", "Agriculture")]).is_err());
    }
}
