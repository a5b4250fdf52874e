package expression

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
)

const approximately = 1e-6

func (l *Library) convertHelpers() []helper {
	return []helper{
		of1("Atof", l.atof),
		try1("B64Decode", decodeBase64),
		of2("FloatApproxEqual", func(a, b float64) bool { return math.Abs(a-b) < approximately }),
		of1("ToJsonString", toJSON),
		of1("ToString", toString),
	}
}

// atof yields 0 for what is no number and an infinity for what is too large.
func (l *Library) atof(text string) float64 {
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		l.log.Warn("text is not a number", "error", err)
	}
	return number
}

func decodeBase64(text string) (string, error) {
	decoded, err := base64.StdEncoding.DecodeString(text)
	return string(decoded), err
}

func toJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}

func toString(value any) string {
	text, _ := value.(string)
	return text
}
