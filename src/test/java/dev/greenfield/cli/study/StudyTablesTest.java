package dev.greenfield.cli.study;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Cells of the tables, as a spreadsheet finds them. */
class StudyTablesTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "a | a",
                "-1.5e-3 | -1.5e-3",
                "+2 | +2",
                "-Infinity | -Infinity",
                "=1+1 | '=1+1",
                "+cmd | '+cmd",
                "-2+3 | '-2+3",
                "@SUM(A1) | '@SUM(A1)",
                "=a,b | \"'=a,b\"",
                "say \"x\" | \"say \"\"x\"\"\""
            })
    void beginNoFormula(String cell, String written) {
        assertThat(StudyTables.quoted(cell)).isEqualTo(written);
    }
}
