//! What one walk has met before: places where the same may be used, and texts that were parsed there. Steps are much alike, and
//! most of their expressions stand in more than one of them.
//!
//! Knows no fault: what cannot be parsed is parsed, and reported, wherever it stands.

use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use expr::{Template, TemplateError};
use foldhash::fast::RandomState;
use indexmap::IndexMap;

use super::Allowed;
use crate::schema::definition::Definition;

#[derive(Default)]
pub(super) struct Known {
    /// As many as the tables have definitions that allow something, times the ways to come there.
    places: Vec<Place>,
    templates: IndexMap<(Arc<str>, Address), Parsed, RandomState>,
}

/// A text as it was read where this is allowed.
type Parsed = (Rc<Allowed>, Template);

/// Tells places apart; no other has it while the place is kept, which is beside the template.
type Address = *const Allowed;

struct Place {
    outer: Rc<Allowed>,
    definition: &'static Definition,
    allowed: Rc<Allowed>,
}

impl Known {
    /// What is allowed inside `definition`, which stands inside `outer`: the same value every time.
    pub(super) fn within(&mut self, outer: &Rc<Allowed>, definition: &'static Definition) -> Rc<Allowed> {
        if definition.contexts.is_empty() && definition.functions.is_empty() {
            return Rc::clone(outer);
        }
        let met = |place: &&Place| ptr::eq(place.definition, definition) && Rc::ptr_eq(&place.outer, outer);
        if let Some(place) = self.places.iter().find(met) {
            return Rc::clone(&place.allowed);
        }
        let allowed = Rc::new(outer.and_by(definition));
        self.places.push(Place { outer: Rc::clone(outer), definition, allowed: Rc::clone(&allowed) });
        allowed
    }

    /// The template that `text` is where so much is allowed.
    pub(super) fn template(
        &mut self,
        text: &Arc<str>,
        allowed: &Rc<Allowed>,
    ) -> Result<Template, TemplateError> {
        let key = (Arc::clone(text), Rc::as_ptr(allowed));
        if let Some((_, template)) = self.templates.get(&key) {
            return Ok(template.clone());
        }
        let template = Template::parse(Arc::clone(text), &allowed.scope())?;
        self.templates.insert(key, (Rc::clone(allowed), template.clone()));
        Ok(template)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static IN_GITHUB: Definition = Definition::string().using(&["github"]);
    static IN_ENV: Definition = Definition::string().using(&["env"]);

    #[test]
    fn the_same_text_in_the_same_place_is_parsed_once() {
        let mut known = Known::default();
        let outer = Rc::new(Allowed::default());
        let place = known.within(&outer, &IN_GITHUB);
        assert!(Rc::ptr_eq(&place, &known.within(&outer, &IN_GITHUB)));
        let text: Arc<str> = Arc::from("${{ github.ref }}");
        let first = known.template(&text, &place).unwrap();
        let again = known.template(&Arc::from(&*text), &place).unwrap();
        assert!(ptr::eq(first.source(), again.source()));
    }

    #[test]
    fn another_place_allows_something_else() {
        let mut known = Known::default();
        let outer = Rc::new(Allowed::default());
        let (github, env) = (known.within(&outer, &IN_GITHUB), known.within(&outer, &IN_ENV));
        let text: Arc<str> = Arc::from("${{ github.ref }}");
        assert!(known.template(&text, &github).is_ok());
        assert!(known.template(&text, &env).is_err(), "`github` is unknown there");
        let both = known.within(&github, &IN_ENV);
        assert_eq!(both.contexts(), ["github", "env"]);
    }
}
