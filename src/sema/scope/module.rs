//! Files and their items: name resolution outside of bodies.
//!
//! Module 0 is the prelude. It is only indexed; an item of it is parsed when a program reaches it.

use crate::base::order::PutInOrder;
use crate::sema::scope::candidates::NameKind;
use crate::sema::scope::prelude::Prelude;
use crate::sema::scope::report::{Problem, Report};
use crate::sema::scope::report::modules::ModuleError;
use crate::base::{SourceMap, Span};
use crate::syntax::{self, ast};
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ModuleId(pub u32);

impl ModuleId {
    pub const PRELUDE: ModuleId = ModuleId(0);
    /// The file that is compiled.
    pub const MAIN: ModuleId = ModuleId(1);
}

/// An item and the file whose names its body means.
#[derive(Clone, Debug)]
pub struct ItemRef {
    pub module: ModuleId,
    pub item: Arc<ast::Item>,
}

impl PartialEq for ItemRef {
    fn eq(&self, other: &ItemRef) -> bool {
        Arc::ptr_eq(&self.item, &other.item)
    }
}

impl ItemRef {
    pub fn definition(&self) -> Option<&ast::Definition> {
        match &self.item.kind {
            ast::ItemKind::Definition(definition) => Some(definition),
            _ => None,
        }
    }

    pub fn role(&self) -> Option<ast::Role> {
        self.definition().map(|definition| definition.role)
    }

    pub fn role_word(&self) -> &'static str {
        match self.role() {
            Some(ast::Role::Fn) | None => "function",
            Some(role) => role.keyword(),
        }
    }

    pub fn name(&self) -> &str {
        self.item.kind.name().map_or("", |name| name.as_str())
    }

    pub fn name_span(&self) -> Span {
        self.item.kind.name().map_or(self.item.span, |name| name.span)
    }
}

/// Brings the texts of imported files; the caller knows about file systems.
pub trait Loader {
    /// The name under which messages show the file, and its text. `from` is the name of the importing file.
    fn load(&mut self, from: &str, path: &str) -> Result<(String, String), String>;
}

/// A loader for a program of one file.
pub struct NoImports;

impl Loader for NoImports {
    fn load(&mut self, _from: &str, _path: &str) -> Result<(String, String), String> {
        Err("there are no files here to import".to_string())
    }
}

/// A user's file.
#[derive(Debug)]
pub struct Module {
    pub file: Arc<ast::File>,
    pub items: Vec<ItemRef>,
    names: HashMap<Arc<str>, Entry>,
    imports: Vec<(ModuleId, Span)>,
}

#[derive(Clone, Debug)]
enum Entry {
    Item(ItemRef),
    /// Reported already.
    Broken,
}

/// The meaning of a name in a file.
#[derive(Clone, Debug)]
pub enum Found {
    Item(ItemRef),
    /// The name exists, its item was reported already.
    Broken,
}

#[derive(Debug)]
pub struct Modules {
    pub prelude: Prelude,
    /// `list[k]` is module k + 1.
    list: Vec<Module>,
}

impl Modules {
    /// Reads the imports of the main file, and theirs.
    pub fn load(
        sources: &mut SourceMap,
        main: ast::File,
        loader: &mut dyn Loader,
        reports: &mut Vec<Report>,
    ) -> Modules {
        let prelude = Prelude::index(sources);
        let mut reader = Reader { sources, loader, reports, done: HashMap::new(), open: Vec::new() };
        let mut modules = Modules { prelude, list: Vec::new() };
        let name = reader.sources.file(main.id).name.clone();
        reader.read(&mut modules, name, main);
        modules
    }

    pub fn module(&self, id: ModuleId) -> Option<&Module> {
        (id.0 as usize).checked_sub(1).and_then(|at| self.list.get(at))
    }

    pub fn main(&self) -> Option<&Module> {
        self.module(ModuleId::MAIN)
    }

    /// All user files, the main one first.
    pub fn user_modules(&self) -> impl Iterator<Item = (ModuleId, &Module)> {
        self.list.iter().enumerate().map(|(at, module)| (ModuleId(at as u32 + 1), module))
    }

    /// Looks in the file, its imports and the prelude.
    pub fn find(&mut self, module: ModuleId, name: &str, reports: &mut Vec<Report>) -> Option<Found> {
        if let Some(file) = self.module(module) {
            let imported = || {
                file.imports
                    .iter()
                    .find_map(|(import, _)| self.module(*import).and_then(|module| module.names.get(name)))
            };
            match file.names.get(name).or_else(imported) {
                Some(Entry::Item(item)) => return Some(Found::Item(item.clone())),
                Some(Entry::Broken) => return Some(Found::Broken),
                None => {}
            }
        }
        self.prelude.find(name, reports)
    }

    /// The names of items that a file may use, in order, each with its kind; those of wrong items are left out.
    pub fn names(&self, module: ModuleId) -> Vec<(&str, NameKind)> {
        let mut names = Vec::new();
        if let Some(file) = self.module(module) {
            let imported = file.imports.iter().filter_map(|(import, _)| self.module(*import));
            for (name, entry) in std::iter::once(file).chain(imported).flat_map(|file| &file.names) {
                let Entry::Item(item) = entry else { continue };
                names.extend(NameKind::of_item(&item.item.kind).map(|kind| (&**name, kind)));
            }
        }
        names.put_in_order_by_key(|(name, _)| *name);
        names.extend(self.prelude.names());
        names
    }
}

struct Reader<'a> {
    sources: &'a mut SourceMap,
    loader: &'a mut dyn Loader,
    reports: &'a mut Vec<Report>,
    /// Files that are read, by name.
    done: HashMap<Arc<str>, ModuleId>,
    /// The files around the one that is read now, with the places where they import.
    open: Vec<Arc<str>>,
}

impl Reader<'_> {
    fn read(&mut self, modules: &mut Modules, name: Arc<str>, file: ast::File) -> ModuleId {
        let id = ModuleId(modules.list.len() as u32 + 1);
        self.done.insert(name.clone(), id);
        self.open.push(name.clone());
        let file = Arc::new(file);
        let items: Vec<ItemRef> =
            file.items.iter().map(|item| ItemRef { module: id, item: Arc::new(item.clone()) }).collect();
        let names = self.names(&file, &items);
        modules.list.push(Module { file: file.clone(), items, names, imports: Vec::new() });
        for item in &file.items {
            let ast::ItemKind::Import(import) = &item.kind else { continue };
            let Some(imported) = self.import(modules, &name, import) else { continue };
            let before = modules.module(id).and_then(|file| file.imports.iter().find(|(other, _)| *other == imported));
            if let Some((_, first)) = before {
                let path = import.path.to_string();
                self.report(ModuleError::ImportedTwice { path, at: import.path_span, first: *first });
                continue;
            }
            self.check_clash(modules, id, imported, import.path_span);
            modules.list[id.0 as usize - 1].imports.push((imported, import.path_span));
        }
        self.open.pop();
        id
    }

    fn import(&mut self, modules: &mut Modules, from: &str, import: &ast::Import) -> Option<ModuleId> {
        let (name, text) = match self.loader.load(from, &import.path) {
            Ok((name, text)) => (Arc::<str>::from(name), text),
            Err(why) => {
                let path = import.path.to_string();
                self.report(ModuleError::CannotLoad { path, why, at: import.path_span });
                return None;
            }
        };
        if self.open.contains(&name) {
            let files = self.open.iter().skip_while(|open| **open != name).chain([&name]).cloned().collect();
            let path = import.path.to_string();
            self.report(ModuleError::Circle { path, files, at: import.path_span });
            return None;
        }
        if let Some(id) = self.done.get(&name) {
            return Some(*id);
        }
        let file = self.sources.add(name.clone(), text.clone());
        let (tree, errors) = syntax::parse(file, &text);
        self.reports.extend(errors.into_iter().map(Report::from));
        Some(self.read(modules, name, tree))
    }

    fn names(&mut self, file: &ast::File, items: &[ItemRef]) -> HashMap<Arc<str>, Entry> {
        let mut names = HashMap::new();
        let mut places: HashMap<Arc<str>, Span> = HashMap::new();
        for item in items {
            let Some(name) = item.item.kind.name() else { continue };
            if let Some(first) = places.insert(name.text.clone(), name.span) {
                self.report(ModuleError::DeclaredTwice { name: name.clone(), first });
                continue;
            }
            names.insert(name.text.clone(), Entry::Item(item.clone()));
        }
        for broken in &file.broken {
            if let Some(name) = &broken.name {
                names.entry(name.text.clone()).or_insert(Entry::Broken);
            }
        }
        names
    }

    fn report(&mut self, problem: ModuleError) {
        self.reports.push(problem.diagnostic(self.sources).into());
    }

    /// One name from two imports is an error, unless the file itself declares it.
    fn check_clash(&mut self, modules: &Modules, id: ModuleId, imported: ModuleId, span: Span) {
        let (Some(file), Some(new)) = (modules.module(id), modules.module(imported)) else { return };
        for (other, other_span) in file.imports.iter().filter(|(other, _)| *other != imported) {
            let Some(other) = modules.module(*other) else { continue };
            let mut shared: Vec<&Arc<str>> =
                new.names.keys().filter(|name| other.names.contains_key(*name)).collect();
            shared.put_in_order();
            for name in shared.into_iter().filter(|name| !file.names.contains_key(*name)) {
                self.report(ModuleError::Clash { name: name.clone(), at: span, other: *other_span });
            }
        }
    }
}
