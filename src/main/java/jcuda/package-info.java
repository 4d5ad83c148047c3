/** One class that replaces one of JCuda's: how its native libraries are loaded. Nothing else belongs here. */
package jcuda;
