package main

import "slices"

// scenarios is the explicit list of all recordings.
func scenarios() []Scenario {
	return slices.Concat([]Scenario{exampleBlackFriday()}, nodeScenarios(), pythonScenarios(), goScenarios(), javaScenarios(), rubyScenarios(), phpScenarios(), moreScenarios(), healthyScenarios(), openScenarios(), secondScenarios(), thirdScenariosA(), thirdScenariosB(), fourthScenarios(), sixthScenarios(), seventhScenarios())
}
