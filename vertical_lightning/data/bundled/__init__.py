"""Data files that travel with the package; `LICENSES.md` names their authors and terms."""
