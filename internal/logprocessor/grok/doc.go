// Package grok compiles grok patterns: regular expressions in which %{NAME} stands for a named definition and
// %{NAME:field} also captures what it matched under a field name.
//
// It owns the library of definitions, the rules by which a reference is expanded and a field name that occurs
// several times is decided, and the matching of one subject. It promises that compiling is bounded in size,
// that a missing definition is named in the error, that matching takes time linear in the subject, and that
// bytes which are not UTF-8 are matched by nothing.
//
// It refuses everything that RE2 refuses (look-around, back-references), and knows no definition by itself:
// the caller fills the library.
package grok
