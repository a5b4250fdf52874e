package yamlfile

import "regexp"

var variable = regexp.MustCompile(`\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))`)

// maxExpansions bounds how deep a variable may refer to others, so that a cycle ends.
const maxExpansions = 8

// Expand replaces $NAME and ${NAME} by the variables that env knows, also inside replacements; unknown ones
// stay as they are.
func Expand(text string, env Env) string {
	for range maxExpansions {
		expanded := variable.ReplaceAllStringFunc(text, func(reference string) string {
			groups := variable.FindStringSubmatch(reference)
			if value, ok := env(groups[1] + groups[2]); ok {
				return value
			}
			return reference
		})
		if expanded == text {
			break
		}
		text = expanded
	}
	return text
}
