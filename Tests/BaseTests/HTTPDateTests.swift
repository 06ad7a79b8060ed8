import Base
import Testing

/// Sun, 06 Nov 1994 08:49:37 GMT: RFC 9110's own example.
private let example: Int64 = 784_111_777_000
private let now = Timestamp(milliseconds: 1_795_000_000_000)

@Test(arguments: [
    ("Sun, 06 Nov 1994 08:49:37 GMT", example), ("Sunday, 06-Nov-94 08:49:37 GMT", example),
    ("Sun Nov  6 08:49:37 1994", example), ("Sat, 29 Feb 2020 23:59:60 GMT", 1_583_020_800_000),
    // 2026 and two digits: 76 is 2076, 77 would be more than 50 years ahead.
    ("Friday, 01-Jan-77 00:00:00 GMT", 220_924_800_000),
    ("Wednesday, 01-Jan-76 00:00:00 GMT", 3_345_062_400_000),
    ("Sun, 06 Nov 1994 08:49:37 +0000", nil), ("Sun, 31 Feb 1994 08:49:37 GMT", nil),
    ("Sun, 06 Nov 1994 24:49:37 GMT", nil), ("Sun, 06 Nov 994 08:49:37 GMT", nil), ("7", nil), ("", nil),
    ("Sun, 06 Nov 99999999999999999999 08:49:37 GMT", nil),
])
func datesOfHTTPAreRead(text: String, milliseconds: Int64?) {
    #expect(Timestamp(httpDate: text, now: now)?.milliseconds == milliseconds)
}
