import Base
import Postgres
import Testing

@Suite struct ValuesTests {
    @Test func everyKindOfValueMakesTheRoundTrip() async throws {
        let every = (0...255).map { UInt8($0) }
        try await withPool { pool in
            let row = try #require(
                try await pool.query(
                    """
                    select $1::text as words, $2::bigint as number, $3::bool as yes, $4::bytea as raw,
                           $5::float8 as real,
                           $6::text as nothing, $7::bool as no, $8::bytea as empty, $9::text as blank
                    """,
                    [
                        "zażółć 🦜 'quoted' \\ \"\n", -9_223_372_036_854_775_808, true, .bytes(every), 0.1,
                        nil, false,
                        .bytes([]), "",
                    ]
                ).first)
            #expect(try row.text("words") == "zażółć 🦜 'quoted' \\ \"\n")
            #expect(try row.int("number") == .min)
            #expect(try row.bool("yes"))
            #expect(try !row.bool("no"))
            #expect(try row.bytes("raw") == every)
            #expect(try row.double("real") == 0.1)
            #expect(try row.optionalText("nothing") == nil)
            #expect(try row.optionalBytes("empty") == [])
            #expect(try row.text("blank") == "")
            #expect(try row.int(1) == .min)
            #expect(row.columns.prefix(2) == ["words", "number"])
        }
    }

    @Test func aLargeValueIsSentAndReadWhole() async throws {
        let large = String(repeating: "0123456789abcdef", count: 1 << 16)
        try await withPool { pool in
            let rows = try await pool.query("select $1::text || $1 as twice", [.text(large)])
            #expect(try rows.first?.text("twice") == large + large)
        }
    }

    @Test func readingWhatIsNotThereSaysWhy() async throws {
        try await withPool { pool in
            let row = try #require(try await pool.query("select null::text as nothing, 'x' as letter").first)
            #expect(await refusal { try row.text("nothing") }?.sqlState == "22004")
            #expect(await refusal { try row.text("absent") }?.sqlState == "42703")
            #expect(await refusal { try row.text(7) }?.sqlState == "42703")
            #expect(await refusal { try row.int("letter") }?.sqlState == "22P02")
            #expect(await refusal { try row.bytes("letter") }?.sqlState == "22P02")
        }
    }

    @Test func aZeroByteIsRefusedInsteadOfCut() async throws {
        try await withPool { pool in
            #expect(await refusal { try await pool.query("select $1::text", ["a\0b"]) }?.sqlState == "22021")
            #expect(await refusal { try await pool.query("select 1\0") }?.kind == .usage)
        }
    }

    @Test func affectedRowsAreCounted() async throws {
        try await withPool(schema: "test_affected") { pool in
            _ = try await pool.query("create table test_affected.items (id int primary key)")
            let inserted = try await pool.query(
                "insert into test_affected.items select generate_series(1, 7)")
            #expect(inserted.affected == 7)
            #expect(inserted.isEmpty)
            #expect(try await pool.query("delete from test_affected.items where id > $1", [5]).affected == 2)
        }
    }

    @Test func aConstraintIsNamed() async throws {
        try await withPool(schema: "test_constraint") { pool in
            _ = try await pool.query(
                "create table test_constraint.items (id int constraint one_each primary key)")
            _ = try await pool.query("insert into test_constraint.items values (1)")
            let error = await refusal { try await pool.query("insert into test_constraint.items values (1)") }
            #expect(error?.sqlState == "23505")
            #expect(error?.constraint == "one_each")
            #expect(error?.isUniqueViolation == true)
            #expect(error?.fault.retry == .never)
        }
    }

    @Test func aRefusedValueIsNotRepeatedInTheDescription() async throws {
        try await withPool { pool in
            let error = await refusal { try await pool.query("select $1::text::int", ["x5550001111"]) }
            #expect(error?.sqlState == "22P02")
            #expect(error.map { "\($0) \($0.fault)" }?.contains("5550001111") == false)
        }
    }
}
