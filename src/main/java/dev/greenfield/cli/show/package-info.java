/**
 * What commands show: summaries, ranked sites, averages, progress, and the pages of reports.
 */
package dev.greenfield.cli.show;
